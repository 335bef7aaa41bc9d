<livewire:ssupport.panel :service="$service" :key="'ssupport-'.$service->id" />
